"""From float network to quantized ``.tflite`` file, with proof of what it cost.

For a program of your own, imported when it is first used: ``import converters`` alone loads
nothing else.

    import converters

    conversion = converters.convert("lite0", out="models", calibration="photos", max_drop=1.0,
                                    data="val.csv")
    float32, int8 = conversion.made
    print(int8.path, int8.size_bytes, int8.comparison.agreement_percent)

    comparison = converters.compare(float32.path, int8.path, "val.csv")
    print(comparison.paired.drop_points)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converters.api import compare, convert
    from converters.conversion import Conversion, ConvertedFile
    from edge_effnet.metrics import Comparison

__all__ = ["Comparison", "Conversion", "ConvertedFile", "compare", "convert"]

_MODULES = {
    "Comparison": "edge_effnet.metrics",
    "Conversion": "converters.conversion",
    "ConvertedFile": "converters.conversion",
    "compare": "converters.api",
    "convert": "converters.api",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
