"""Made-up machines: folders that look like /proc and /sys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PI4_CPUINFO = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU part\t: 0xd08

Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
PI5_CPUINFO = PI4_CPUINFO.replace("crc32", "crc32 asimddp").replace("0xd08", "0xd0b")
PI5_CPUINFO = PI5_CPUINFO.replace("Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi 5 Model B")
SERVER_CPUINFO = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Some Xeon
flags\t\t: fpu avx avx2 avx512f avx512_vnni amx_int8
"""


def make(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def pi4(
    root: Path,
    *,
    throttled: str = "0",
    milli_c: int = 45_000,
    mhz: int = 1800,
    governor: str = "ondemand",
    busy: int = 1000,
) -> Path:
    policy = "sys/devices/system/cpu/cpufreq/policy0"
    return make(
        root,
        {
            "proc/cpuinfo": PI4_CPUINFO,
            "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
            "proc/meminfo": "MemTotal:        3884136 kB\nMemFree: 1 kB\n",
            "proc/loadavg": "0.10 0.20 0.30 1/200 1234\n",
            "proc/stat": f"cpu  {busy} 0 0 5000 0 0 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\n",
            f"{policy}/scaling_governor": governor + "\n",
            f"{policy}/scaling_cur_freq": f"{mhz * 1000}\n",
            f"{policy}/scaling_max_freq": "1800000\n",
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone0/temp": f"{milli_c}\n",
            "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
            "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
            "sys/devices/platform/soc/soc:firmware/get_throttled": throttled + "\n",
        },
    )
