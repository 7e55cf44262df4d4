"""What the controls for photos are called, and hints for code in these words."""

from __future__ import annotations

KEEP, SMALLER = "Keep location, date and camera information", "Make photos smaller"
FROM_COMPUTER, FROM_SERVER, URLS = "From this computer", "From the server", "URLs"

# What a hint for code says, and what one does in the form; of two that begin alike, the longer first.
_IN_THE_FORM = {
    "with max_side=2048": f'with "{SMALLER}" turned on',
    "omit max_side": f'turn off "{SMALLER}"',
    "with keep_metadata=True": f'with "{KEEP}" turned on',
    "with keep_damaged=True": "by TuneForm(keep_damaged=True)",
    "give the file as images=[…]": f'add the file under "{FROM_COMPUTER}"',
    "give files as images=[…]": f'add files under "{FROM_COMPUTER}" or "{FROM_SERVER}"',
    "give them as images": f'add them under "{FROM_COMPUTER}"',
    "give the photos as images": f'add the photos under "{FROM_COMPUTER}"',
    "as image_urls instead of images": f'under "{URLS}" instead of photos',
    "as image_urls=[…]": f'under "{URLS}"',
    "as image_urls": f'under "{URLS}"',
    "as an item of its own": "on a line of its own",
    "choose encoding='json'": 'choose "json" as the encoding',
}


def naming_controls(text: str) -> str:
    """Return the text of a problem with the form's controls in place of what code would do.

    Examples
    --------
    >>> naming_controls("make it smaller with max_side=2048")
    'make it smaller with "Make photos smaller" turned on'
    """
    for code, words in _IN_THE_FORM.items():
        text = text.replace(code, words)
    return text
