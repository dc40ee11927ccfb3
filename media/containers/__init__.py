"""What the files of pictures are made of, read without a decoder: which parts hold pixels, colour and Exif.

A decoder is given the parts that it needs and nothing else, so damage beside the pixels cannot stop it.
"""
