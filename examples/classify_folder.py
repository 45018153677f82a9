"""Sort the images of a folder by what a model sees in them.

    python examples/classify_folder.py MODEL.tflite FOLDER

Needs the base install. Prints one line for each image, then how many there are of each class.
"""

import sys
from collections import Counter
from pathlib import Path

import edge_effnet


def main(model_file: str, folder: str) -> None:
    model = edge_effnet.open_model(model_file)
    counts: Counter[str] = Counter()
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        try:
            best = model.classify(path, top=1)[0]
        except edge_effnet.EdgeEffnetError as error:
            print(f"skipped: {error}", file=sys.stderr)
            continue
        seen = "unknown" if best.unknown else best.label  # like no image that was taught
        counts[seen] += 1
        print(f"{best.probability:6.3f}  {seen:20}  {path}")
    print(", ".join(f"{label}: {count}" for label, count in counts.most_common()))


if __name__ == "__main__":
    main(*sys.argv[1:])
