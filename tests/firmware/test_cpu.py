"""The twin's processor: each instruction's meaning, at the edges where it is easy to get wrong."""

from __future__ import annotations

import pytest
from forge import A0, EBREAK, RA, T0, T1, ZERO, addi, branch, constant, i_type, jal, load, lui, r_type, store

from batuta_firmware.twin.cpu import Cpu, Fault, Halt, Trap

BASE, DATA = 0x1000, 0x2000
MIN, MINUS = 0x8000_0000, 0xFFFF_FFFF


class Memory:
    """Code at BASE, 64 bytes of data at DATA; a store to address 4 halts."""

    def __init__(self, code: list[int]) -> None:
        self.code = code
        self.data = bytearray(64)

    def fetch(self, address: int) -> int:
        index = (address - BASE) // 4
        if not 0 <= index < len(self.code):
            raise Fault("instruction access fault", address)
        return self.code[index]

    def load(self, address: int, size: int) -> int:
        if not DATA <= address <= DATA + 64 - size:
            raise Fault("load access fault", address)
        return int.from_bytes(self.data[address - DATA : address - DATA + size], "little")

    def store(self, address: int, size: int, value: int) -> None:
        if address == 4:
            raise Halt
        if not DATA <= address <= DATA + 64 - size:
            raise Fault("store access fault", address)
        self.data[address - DATA : address - DATA + size] = (value & (1 << size * 8) - 1).to_bytes(size, "little")


STOP = store(2, ZERO, ZERO, 4)


def ran(code: list[int], **registers: int) -> tuple[Cpu, Memory]:
    memory = Memory([*code, STOP])
    cpu = Cpu(memory, BASE)
    for name, value in registers.items():
        cpu.x[{"t0": T0, "t1": T1}[name]] = value
    assert cpu.run(1000)
    return cpu, memory


REGISTER = [
    #  name     funct7 funct3   a          b          result
    ("add",     0x00,  0,       MINUS,     2,         1),
    ("sub",     0x20,  0,       1,         2,         MINUS),
    ("sll",     0x00,  1,       1,         33,        2),
    ("slt",     0x00,  2,       MINUS,     1,         1),
    ("sltu",    0x00,  3,       MINUS,     1,         0),
    ("xor",     0x00,  4,       0b1100,    0b1010,    0b0110),
    ("srl",     0x00,  5,       MIN,       31,        1),
    ("sra",     0x20,  5,       MIN,       31,        MINUS),
    ("or",      0x00,  6,       0b1100,    0b1010,    0b1110),
    ("and",     0x00,  7,       0b1100,    0b1010,    0b1000),
    ("mul",     0x01,  0,       MINUS,     MINUS,     1),
    ("mulh",    0x01,  1,       MIN,       MIN,       0x4000_0000),
    ("mulhsu",  0x01,  2,       MINUS,     MINUS,     MINUS),
    ("mulhu",   0x01,  3,       MINUS,     MINUS,     0xFFFF_FFFE),
    ("div",     0x01,  4,       -7 & MINUS, 2,        -3 & MINUS),
    ("div by 0", 0x01, 4,       7,         0,         MINUS),
    ("div over", 0x01, 4,       MIN,       MINUS,     MIN),
    ("divu",    0x01,  5,       MINUS,     2,         0x7FFF_FFFF),
    ("divu by 0", 0x01, 5,      7,         0,         MINUS),
    ("rem",     0x01,  6,       -7 & MINUS, 2,        MINUS),
    ("rem by 0", 0x01, 6,       7,         0,         7),
    ("rem over", 0x01, 6,       MIN,       MINUS,     0),
    ("remu",    0x01,  7,       7,         4,         3),
    ("remu by 0", 0x01, 7,      7,         0,         7),
]  # fmt: skip


@pytest.mark.parametrize(("name", "funct7", "funct3", "a", "b", "result"), REGISTER, ids=[row[0] for row in REGISTER])
def test_register_instructions(name: str, funct7: int, funct3: int, a: int, b: int, result: int) -> None:
    cpu, _ = ran([r_type(funct7, funct3, A0, T0, T1)], t0=a, t1=b)
    assert cpu.x[A0] == result


IMMEDIATE = [
    ("addi",  0, 1,     -2,        MINUS),
    ("slti",  2, MINUS, 0,         1),
    ("sltiu", 3, 1,     -1,        1),
    ("xori",  4, 0xF0,  -1,        0xFFFF_FF0F),
    ("ori",   6, 1,     6,         7),
    ("andi",  7, 0xFF,  -16,       0xF0),
    ("slli",  1, 1,     31,        MIN),
    ("srli",  5, MIN,   31,        1),
    ("srai",  5, MIN,   31 | 0x400, MINUS),
]  # fmt: skip


@pytest.mark.parametrize(("name", "funct3", "a", "value", "result"), IMMEDIATE, ids=[row[0] for row in IMMEDIATE])
def test_immediate_instructions(name: str, funct3: int, a: int, value: int, result: int) -> None:
    cpu, _ = ran([i_type(0x13, funct3, A0, T0, value)], t0=a)
    assert cpu.x[A0] == result


LOADS = [("lb", 0, 0xFFFF_FF80), ("lh", 1, 0xFFFF_F180), ("lw", 2, 0xE2F3_F180), ("lbu", 4, 0x80), ("lhu", 5, 0xF180)]


@pytest.mark.parametrize(("name", "funct3", "result"), LOADS, ids=[row[0] for row in LOADS])
def test_loads_extend_the_sign_or_do_not(name: str, funct3: int, result: int) -> None:
    cpu, _ = ran([*constant(T1, 0xE2F3_F180), store(2, T0, T1, -4), load(funct3, A0, T0, -4)], t0=DATA + 4)
    assert cpu.x[A0] == result


@pytest.mark.parametrize(("funct3", "kept"), [(0, "44ffffff"), (1, "4433ffff"), (2, "44332211")])
def test_stores_touch_only_their_bytes(funct3: int, kept: str) -> None:
    memory = Memory([store(funct3, T0, T1, 0), STOP])
    memory.data[:4] = b"\xff" * 4
    cpu = Cpu(memory, BASE)
    cpu.x[T0], cpu.x[T1] = DATA, 0x1122_3344
    cpu.run(10)
    assert memory.data[:4].hex() == kept


BRANCHES = [
    ("beq", 0, 1, 1, True), ("beq", 0, 1, 2, False), ("bne", 1, 1, 2, True), ("blt", 4, MINUS, 1, True), ("blt", 4, 1, 1, False),
    ("bge", 5, 1, MINUS, True), ("bge", 5, 1, 1, True), ("bltu", 6, MINUS, 1, False), ("bltu", 6, 1, 2, True), ("bgeu", 7, MINUS, 1, True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "funct3", "a", "b", "taken"), BRANCHES)
def test_branches(name: str, funct3: int, a: int, b: int, taken: bool) -> None:
    cpu, _ = ran([branch(funct3, T0, T1, 8), addi(A0, ZERO, 1)], t0=a, t1=b)
    assert cpu.x[A0] == (0 if taken else 1)


def test_jumps_link_and_come_back() -> None:
    back = i_type(0x67, 0, ZERO, RA, 0)  # jalr zero, ra
    cpu, _ = ran([jal(RA, 12), addi(A0, A0, 1), jal(ZERO, 12), addi(A0, A0, 10), back])
    assert cpu.x[A0] == 11
    assert cpu.x[RA] == BASE + 4


def test_a_backward_branch_makes_a_loop() -> None:
    cpu, _ = ran([addi(T0, ZERO, 10), addi(A0, A0, 3), addi(T0, T0, -1), branch(1, T0, ZERO, -8)])
    assert cpu.x[A0] == 30


def test_register_zero_stays_zero() -> None:
    cpu, _ = ran([addi(ZERO, ZERO, 5), lui(ZERO, 1), load(2, ZERO, T0, 0), r_type(0, 0, ZERO, T0, T0)], t0=DATA)
    assert cpu.x[ZERO] == 0


def test_the_budget_ends_a_program_that_does_not() -> None:
    cpu = Cpu(Memory([jal(ZERO, 0)]), BASE)
    assert cpu.run(500) is False
    assert cpu.retired == 500


TRAPS = [
    ("an illegal word",      [0],                        "illegal instruction 0x00000000"),
    ("a compressed word",    [0x4501],                   "illegal instruction"),
    ("an unknown shift",     [i_type(0x13, 5, A0, T0, 0x7E0)], "illegal instruction"),
    ("a breakpoint",         [EBREAK],                   "breakpoint"),
    ("a null read",          [load(2, A0, ZERO, 0)],     "load access fault at pc 0x00001000, address 0x00000000"),
    ("a null write",         [store(2, ZERO, ZERO, 0)],  "store access fault"),
    ("a jump to nowhere",    [i_type(0x67, 0, ZERO, ZERO, 0)], "instruction access fault"),
    ("an odd jump",          [jal(ZERO, 2)],             "misaligned"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "code", "message"), TRAPS, ids=[row[0] for row in TRAPS])
def test_what_a_processor_cannot_do_traps(what: str, code: list[int], message: str) -> None:
    with pytest.raises(Trap, match=message):
        Cpu(Memory(code), BASE).run(10)
