"""Shrinks a picture with Pillow, which requirements.txt brings into the package."""

import base64
import io

from PIL import Image

WIDTH = 128
WIDTH_MAX = 4096
QUALITY = 85


def handler(event, context):
    width = int(event.get("width", WIDTH))
    if not 1 <= width <= WIDTH_MAX:
        raise ValueError(f"width {width} is not between 1 and {WIDTH_MAX}")
    with Image.open(io.BytesIO(base64.b64decode(event["image"], validate=True))) as picture:
        original = picture.size
        height = max(1, round(picture.height * width / picture.width))
        thumbnail = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    thumbnail.save(packed, "JPEG", quality=QUALITY)
    return {
        "image": base64.b64encode(packed.getvalue()).decode("ascii"),
        "width": width,
        "height": height,
        "original": {"width": original[0], "height": original[1]},
    }
