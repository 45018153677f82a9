"""Images that grow while a run trains.

stages         side, batch and strength of each epoch
sized_network  the network of a run at another image size
"""
