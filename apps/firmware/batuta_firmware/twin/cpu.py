"""
A RISC-V processor (RV32IM) that runs the firmware of the twin, one instruction at a time.

Here: registers, decoding, the meaning of each instruction. Not here: memory and devices (board.py).
Each instruction is decoded once into a small function; about two million instructions a second, enough for a frame of LEDs in milliseconds.
Source: the RISC-V unprivileged specification, RV32I and M.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

MASK = 0xFFFF_FFFF
Operation = Callable[[], int]


class Trap(Exception):
    """The program did what a processor cannot do: the real one would panic here."""

    def __init__(self, cause: str, pc: int, address: int | None = None) -> None:
        where = "" if address is None else f", address {address:#010x}"
        super().__init__(f"{cause} at pc {pc:#010x}{where}")
        self.cause = cause
        self.pc = pc


class Fault(Exception):
    """Memory refused an access; the processor turns it into a Trap."""

    def __init__(self, cause: str, address: int) -> None:
        super().__init__(f"{cause} at {address:#010x}")
        self.cause = cause
        self.address = address


class Bus(Protocol):
    def fetch(self, address: int) -> int: ...
    def load(self, address: int, size: int) -> int: ...
    def store(self, address: int, size: int, value: int) -> None: ...


class Halt(Exception):
    """The bus asks the processor to stop after this instruction."""


def signed(value: int) -> int:
    return value - 0x1_0000_0000 if value & 0x8000_0000 else value


def _divide(a: int, b: int) -> int:
    a, b = signed(a), signed(b)
    if b == 0:
        return MASK
    return (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: int, b: int) -> int:
    a, b = signed(a), signed(b)
    if b == 0:
        return a
    return (abs(a) % abs(b)) * (-1 if a < 0 else 1)


# funct3 -> meaning; both operands are unsigned 32-bit values, the result is cut to 32 bits by the caller.
_IMMEDIATE: dict[int, Callable[[int, int], int]] = {
    0: lambda a, b: a + b,
    2: lambda a, b: signed(a) < signed(b),
    3: lambda a, b: a < b,
    4: lambda a, b: a ^ b,
    6: lambda a, b: a | b,
    7: lambda a, b: a & b,
}
# (funct7, funct3) -> meaning, of the register forms and of the immediate shifts.
_SHIFT_RIGHT, _SHIFT_RIGHT_SIGNED, _SHIFT_LEFT = (0, 5), (0x20, 5), (0, 1)
_REGISTER: dict[tuple[int, int], Callable[[int, int], int]] = {
    **{(0, funct3): meaning for funct3, meaning in _IMMEDIATE.items()},
    (0x20, 0): lambda a, b: a - b,
    _SHIFT_LEFT: lambda a, b: a << (b & 31),
    _SHIFT_RIGHT: lambda a, b: a >> (b & 31),
    _SHIFT_RIGHT_SIGNED: lambda a, b: signed(a) >> (b & 31),
    (1, 0): lambda a, b: a * b,
    (1, 1): lambda a, b: (signed(a) * signed(b)) >> 32,
    (1, 2): lambda a, b: (signed(a) * b) >> 32,
    (1, 3): lambda a, b: (a * b) >> 32,
    (1, 4): _divide,
    (1, 5): lambda a, b: a // b if b else MASK,
    (1, 6): _remainder,
    (1, 7): lambda a, b: a % b if b else a,
}
_BRANCH: dict[int, Callable[[int, int], bool]] = {
    0: lambda a, b: a == b,
    1: lambda a, b: a != b,
    4: lambda a, b: signed(a) < signed(b),
    5: lambda a, b: signed(a) >= signed(b),
    6: lambda a, b: a < b,
    7: lambda a, b: a >= b,
}
_LOAD_SIZE = {0: (1, 0x80), 1: (2, 0x8000), 2: (4, 0), 4: (1, 0), 5: (2, 0)}  # funct3 -> bytes, sign bit to extend
_STORE_SIZE = {0: 1, 1: 2, 2: 4}


class Cpu:
    """Thirty-two registers and a program counter over a *bus*."""

    def __init__(self, bus: Bus, entry: int) -> None:
        self.x = [0] * 32
        self.pc = entry
        self.retired = 0
        self._bus = bus
        self._decoded: dict[int, Operation] = {}

    def run(self, instructions: int) -> bool:
        """
        Execute until the bus raises Halt, or *instructions* have been executed; true when it was the bus.

        Raises:
            Trap: an illegal instruction, a refused access, or a program that gave up.
        """
        decoded, pc = self._decoded, self.pc
        done = 0
        try:
            while done < instructions:
                operation = decoded.get(pc)
                if operation is None:
                    operation = decoded[pc] = self._decode(pc)
                done += 1
                self.pc = pc
                pc = operation()
            self.pc = pc
            return False
        except Halt:
            self.pc = pc + 4  # only a store can halt, and a store is followed by the next instruction
            return True
        except Fault as fault:
            raise Trap(fault.cause, pc, fault.address) from None
        finally:
            self.retired += done

    def _decode(self, pc: int) -> Operation:
        if pc & 3:
            raise Trap("instruction address misaligned", pc)
        word = self._bus.fetch(pc)
        match word & 0x7F:
            case 0x33:
                return self._register(word, pc)
            case 0x13:
                return self._immediate(word, pc)
            case 0x03:
                return self._load(word, pc)
            case 0x23:
                return self._store(word, pc)
            case 0x63:
                return self._branch(word, pc)
            case 0x37:
                return self._constant(word, pc, 0)
            case 0x17:
                return self._constant(word, pc, pc)
            case 0x6F | 0x67:
                return self._jump(word, pc)
            case 0x0F:
                return lambda: pc + 4  # FENCE: one processor, nothing to order
            case 0x73 if word == 0x0010_0073:
                raise Trap("breakpoint", pc)
            case _:
                raise Trap(f"illegal instruction {word:#010x}", pc)

    def _register(self, word: int, pc: int) -> Operation:
        x, rd, rs1, rs2, following = self.x, word >> 7 & 31, word >> 15 & 31, word >> 20 & 31, pc + 4
        meaning = _REGISTER.get((word >> 25, word >> 12 & 7))
        if meaning is None:
            raise Trap(f"illegal instruction {word:#010x}", pc)
        if rd == 0:
            return lambda: following

        def operation() -> int:
            x[rd] = meaning(x[rs1], x[rs2]) & MASK
            return following

        return operation

    def _immediate(self, word: int, pc: int) -> Operation:
        x, rd, rs1, funct3, following = self.x, word >> 7 & 31, word >> 15 & 31, word >> 12 & 7, pc + 4
        if funct3 in (1, 5):
            meaning, value = _REGISTER.get((word >> 25, funct3)), word >> 20 & 31
            if meaning is None or word >> 25 not in (0, 0x20):
                raise Trap(f"illegal instruction {word:#010x}", pc)
        else:
            meaning, value = _IMMEDIATE[funct3], _extended(word >> 20, 12)
        if rd == 0:
            return lambda: following

        def operation() -> int:
            x[rd] = meaning(x[rs1], value) & MASK
            return following

        return operation

    def _load(self, word: int, pc: int) -> Operation:
        x, rd, rs1, offset, following = self.x, word >> 7 & 31, word >> 15 & 31, _extended(word >> 20, 12), pc + 4
        if word >> 12 & 7 not in _LOAD_SIZE:
            raise Trap(f"illegal instruction {word:#010x}", pc)
        size, sign = _LOAD_SIZE[word >> 12 & 7]
        load = self._bus.load

        def operation() -> int:
            value = load((x[rs1] + offset) & MASK, size)
            if rd:
                x[rd] = (value | (MASK ^ (sign * 2 - 1))) if value & sign else value
            return following

        return operation

    def _store(self, word: int, pc: int) -> Operation:
        x, rs1, rs2, following = self.x, word >> 15 & 31, word >> 20 & 31, pc + 4
        offset = _extended((word >> 25) << 5 | (word >> 7 & 31), 12)
        if word >> 12 & 7 not in _STORE_SIZE:
            raise Trap(f"illegal instruction {word:#010x}", pc)
        size, store = _STORE_SIZE[word >> 12 & 7], self._bus.store

        def operation() -> int:
            store((x[rs1] + offset) & MASK, size, x[rs2])
            return following

        return operation

    def _branch(self, word: int, pc: int) -> Operation:
        x, rs1, rs2, following = self.x, word >> 15 & 31, word >> 20 & 31, pc + 4
        offset = (word >> 31) << 12 | (word >> 7 & 1) << 11 | (word >> 25 & 0x3F) << 5 | (word >> 8 & 0xF) << 1
        taken, holds = (pc + _extended(offset, 13)) & MASK, _BRANCH.get(word >> 12 & 7)
        if holds is None:
            raise Trap(f"illegal instruction {word:#010x}", pc)
        return lambda: taken if holds(x[rs1], x[rs2]) else following

    def _constant(self, word: int, pc: int, base: int) -> Operation:
        """LUI and AUIPC: the upper twenty bits, over zero or over the program counter."""
        x, rd, value, following = self.x, word >> 7 & 31, (base + (word & 0xFFFF_F000)) & MASK, pc + 4

        def operation() -> int:
            if rd:
                x[rd] = value
            return following

        return operation

    def _jump(self, word: int, pc: int) -> Operation:
        x, rd, rs1, following = self.x, word >> 7 & 31, word >> 15 & 31, pc + 4
        if word & 0x7F == 0x67:
            offset = _extended(word >> 20, 12)

            def to_register() -> int:
                target = (x[rs1] + offset) & 0xFFFF_FFFE
                if rd:
                    x[rd] = following
                return target

            return to_register
        offset = (word >> 31) << 20 | (word >> 12 & 0xFF) << 12 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3FF) << 1
        target = (pc + _extended(offset, 21)) & MASK

        def to_offset() -> int:
            if rd:
                x[rd] = following
            return target

        return to_offset


def _extended(value: int, bits: int) -> int:
    """*value*, whose sign is bit *bits* - 1, as an unsigned 32-bit number."""
    return (value - (1 << bits)) & MASK if value >> (bits - 1) & 1 else value
