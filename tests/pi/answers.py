"""Run a model on given tensors with whatever TFLite runtime is there: nothing of ours is imported.

python answers.py MODEL TENSORS.npy OUTPUTS.npy
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
(source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
found = []
for tensor in np.load(tensors):
    interpreter.set_tensor(source["index"], tensor[None])
    interpreter.invoke()
    found.append(interpreter.get_tensor(sink["index"])[0])
np.save(outputs, np.stack(found))
