"""Small networks that several tests train or save."""

from pipeline.settings.network import NetworkSettings

ONE_BLOCK = NetworkSettings(
    preset="small",
    stem_channels=4,
    stem_stride=8,
    channels=(8,),
    blocks=(1,),
    strides=(4,),
    hidden=(8,),
)
TWO_BLOCKS = NetworkSettings(
    preset="small", stem_channels=4, channels=(4, 8), blocks=(1, 1), strides=(4, 4), hidden=(8,)
)
