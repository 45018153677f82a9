"""Switch two pins of a Raspberry Pi by what its camera sees.

    python examples/camera_gpio.py MODEL.tflite LABEL_OF_PIN_17 LABEL_OF_PIN_27 [SOURCE]

For on and off alone the command does it: edge-effnet camera --pin LABEL=17. Needs gpiozero.
Without a Pi, GPIOZERO_PIN_FACTORY=mock plays the pins, and SOURCE may be a video file. Ctrl-C ends.
"""

import sys

import edge_effnet

try:
    from gpiozero import LED
except ImportError:
    sys.exit("gpiozero is not installed; to fix: pip install gpiozero")

SURE = 0.6  # a class of a lower probability switches nothing on


def main(model_file: str, first: str, second: str, source: str | None = None) -> None:
    model = edge_effnet.open_model(model_file)
    pins = {first: LED(17), second: LED(27)}
    if unknown := pins.keys() - set(model.labels):
        sys.exit(f"the model knows no {unknown.pop()}; its labels: {', '.join(model.labels)}")
    try:
        with edge_effnet.open_camera(source, model=model, top=1) as camera:
            for frame, answers in camera:
                best = answers[0]  # not answered: like no image that was taught
                seen = best.label if best.answered and (best.probability or 0) >= SURE else None
                for label, pin in pins.items():
                    if pin.is_lit != (label == seen):
                        pin.toggle()
                        print(f"{frame.time_s:7.2f} s  {label} {'on' if pin.is_lit else 'off'}")
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main(*sys.argv[1:])
