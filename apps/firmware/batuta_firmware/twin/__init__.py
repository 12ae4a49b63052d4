"""
The K1 device twin: a device in software that runs real firmware images, speaks K1's HTTP API and espota, and fails on demand.

Here: cpu (RISC-V), board (memory and registers), device (slots, booting, rollback), web (HTTP), ota (espota), faults (the knobs).
Run it: `python -m batuta_firmware.twin --help`. Not here: the programs that talk to a device (device.py, espota.py one floor up).
"""

from batuta_firmware.twin.faults import Faults
from batuta_firmware.twin.twin import Twin

__all__ = ["Faults", "Twin"]
