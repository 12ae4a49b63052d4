"""
Prints the size of each section of a 32-bit ELF file, as `size -A -d` would: name, bytes, address.

Run by the builder when PlatformIO checks a program against its board. The compiler's wheel has no `size` tool.
"""

import struct
import sys


def sections(elf: bytes) -> list[tuple[str, int, int]]:
    """The allocated sections of a little-endian ELF32 file, in file order: (name, bytes, address)."""
    if elf[:6] != b"\x7fELF\x01\x01":
        raise SystemExit(f"not a little-endian 32-bit ELF file: it begins with {elf[:6]!r}")
    (table,) = struct.unpack_from("<I", elf, 0x20)
    entry_bytes, count, names_index = struct.unpack_from("<HHH", elf, 0x2E)
    headers = [struct.unpack_from("<10I", elf, table + i * entry_bytes) for i in range(count)]
    names = headers[names_index][4]
    found = []
    for name, _, flags, address, _, size, *_ in headers:
        if flags & 0x2 and size:  # SHF_ALLOC: it takes room on the device
            start = names + name
            found.append((elf[start : elf.index(b"\0", start)].decode(), size, address))
    return found


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        for name, size, address in sections(file.read()):
            print(f"{name:<24} {size:>10} {address:>12}")
