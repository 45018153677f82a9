"""``signs``: a data set that is drawn, not downloaded.

    option       what --data signs means
    shapes       what a sign is drawn from: discs, polygons, strokes, a stroke font
    table        SIGNS: one row per class
    raster       shapes -> RGBA textures
    backgrounds  what stands behind a sign
    decoys       what looks like a sign and is none
    camera       light, lens and sensor
    render       one image from (seed, index)
    folder       many images as a folder per class
    sheet, pdf   the signs as a sheet to print
    video        a moving-camera clip, frame by frame, with its truth
    clip         that clip as a video file and a CSV file

OpenCV, NumPy and the standard library only.
"""
