"""Run a model on given tensors with whatever TFLite runtime is there: nothing of ours is imported.

    python answers.py MODEL TENSORS.npy OUTPUTS.npz

writes each output under its tensor's index, the pictures stacked.
"""

import sys

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter

model, tensors, outputs = sys.argv[1:]
interpreter = Interpreter(model, num_threads=1)
interpreter.allocate_tensors()
(source,), sinks = interpreter.get_input_details(), interpreter.get_output_details()
found = {str(sink["index"]): [] for sink in sinks}
for tensor in np.load(tensors):
    interpreter.set_tensor(source["index"], tensor[None])
    interpreter.invoke()
    for sink in sinks:
        found[str(sink["index"])].append(interpreter.get_tensor(sink["index"])[0])
np.savez(outputs, **{name: np.stack(values) for name, values in found.items()})
