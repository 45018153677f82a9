"""``convert --for frigate``: what Frigate's custom classifiers read.

Frigate 0.17 opens ``/config/model_cache/NAME/model.tflite`` and ``labelmap.txt``, resizes the RGB
pixels of a region with ``cv2.resize`` to 224x224, whatever its shape, hands them as uint8 to the
model's first input, divides the model's first output by its sum, and takes the largest share for
the score of that line of the label map (``frigate/data_processing/real_time/
custom_classification.py``, read on 29 November 2026; its own training writes uint8 files).
"""
