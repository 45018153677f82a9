"""The networks in Keras 3: layers, builder, weights. Needs the ``train`` extra."""
