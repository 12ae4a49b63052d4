"""
SCons script of the stand-in platform: how `pio run` turns a project into firmware.elf and firmware.bin.

The compiler is the clang in the ziglang wheel, which needs no root and no registry; where that wheel is absent, a riscv64-unknown-elf-gcc
on PATH. The image is made by esptool, as for a real chip. PlatformIO runs this file; nothing imports it.
"""

# mypy: ignore-errors

import importlib.util
import os
import shutil
import sys

from SCons.Script import AlwaysBuild, Builder, Default, DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
platform_dir = env.PioPlatform().get_dir()
python = sys.executable

WARNINGS = ["-Wall", "-Wextra"]
MACHINE = ["-O2", "-ffunction-sections", "-fdata-sections", "-fno-stack-protector", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"]

# Neither bytes nor debug information may tell where the build ran: the same commit gives the same ELF file everywhere.
PLACELESS = [f"-ffile-prefix-map={env.subst('$PROJECT_DIR')}=.", f"-ffile-prefix-map={env.subst('$BUILD_DIR')}=build", f"-ffile-prefix-map={sys.prefix}=python"]

if importlib.util.find_spec("ziglang"):
    compiler = [python, "-m", "ziglang"]
    target = ["-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m", "-fno-sanitize=all"]
    cc, cxx, archiver, indexer = ([*compiler, tool] for tool in ("cc", "c++", "ar", "ranlib"))
elif shutil.which("riscv64-unknown-elf-gcc"):
    target = ["-march=rv32im", "-mabi=ilp32"]
    cc, cxx, archiver, indexer = ([f"riscv64-unknown-elf-{tool}"] for tool in ("gcc", "g++", "ar", "ranlib"))
else:
    sys.stderr.write(
        "Error: no RISC-V compiler found: neither the Python package ziglang nor riscv64-unknown-elf-gcc on PATH. "
        "Install batuta[firmware], or Debian's gcc-riscv64-unknown-elf.\n"
    )
    env.Exit(1)

if not importlib.util.find_spec("esptool"):
    sys.stderr.write("Error: the Python package esptool is missing. Install batuta[firmware].\n")
    env.Exit(1)

env.Replace(
    AR=archiver,
    AS=cc,
    CC=cc,
    CXX=cxx,
    LINK=cxx,
    RANLIB=indexer,
    SIZETOOL=[python, os.path.join(platform_dir, "builder", "sizes.py")],
    SIZECHECKCMD=[python, os.path.join(platform_dir, "builder", "sizes.py"), "$SOURCES"],
    # What is stored in flash counts as program; what the running program holds in data memory counts as RAM.
    SIZEPROGREGEXP=r"^(?:\.iram0\.text|\.dram0\.data|\.flash\.text|\.flash\.appdesc|\.flash\.rodata)\s+([0-9]+).*",
    SIZEDATAREGEXP=r"^(?:\.dram0\.data|\.dram0\.bss)\s+([0-9]+).*",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
env.Append(
    ASPPFLAGS=[*target, *PLACELESS],
    CCFLAGS=[*target, *WARNINGS, *MACHINE, *PLACELESS, "-ffreestanding"],
    CXXFLAGS=["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],
    LINKFLAGS=[*target, "-nostdlib", "-static", "-Wl,--gc-sections", "-Wl,-T," + os.path.join(platform_dir, "builder", "k1twin.ld")],
    BUILDERS={
        "EspImage": Builder(
            action=env.VerboseAction(
                " ".join(
                    [
                        f'"{python}" -m esptool --chip {board.get("build.mcu")} elf2image',
                        f"--flash-mode {board.get('build.flash_mode')} --flash-freq 80m --flash-size {board.get('upload.flash_size')}",
                        "-o $TARGET $SOURCES",
                    ]
                ),
                "Building $TARGET",
            ),
            suffix=".bin",
        )
    },
)

program = env.BuildProgram()
image = env.EspImage(os.path.join("$BUILD_DIR", "firmware"), program)
env.Depends(image, "checkprogsize")
AlwaysBuild(env.Alias("size", program, env.VerboseAction("$SIZEPRINTCMD", "Calculating size $SOURCE")))

env.Replace(
    UPLOADER=f'"{python}" -m batuta_firmware.espota',
    UPLOADERFLAGS=["--device", "$UPLOAD_PORT", *env.get("UPLOAD_FLAGS", [])],
    UPLOADCMD="$UPLOADER $UPLOADERFLAGS --file $SOURCE",
)
env.AddPlatformTarget("upload", image, env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE"), "Upload over the air")
Default([image])
