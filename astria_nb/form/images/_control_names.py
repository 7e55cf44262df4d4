"""What the controls for photos are called, and hints for code in these words."""

from __future__ import annotations

from astria_nb.utils.remedies import Remedy

KEEP, SMALLER = "Keep location, date and camera information", "Make photos smaller"
FROM_COMPUTER, FROM_SERVER, URLS = "From this computer", "From the server", "URLs"

# What one does in the form instead.
_IN_THE_FORM = {
    Remedy.SMALLER: f'with "{SMALLER}" turned on',
    Remedy.NOT_SMALLER: f'turn off "{SMALLER}"',
    Remedy.KEEP_METADATA: f'with "{KEEP}" turned on',
    Remedy.KEEP_DAMAGED: "by TuneForm(keep_damaged=True)",
    Remedy.GIVE_THE_FILE: f'add the file under "{FROM_COMPUTER}"',
    Remedy.GIVE_FILES_OR_URLS: f'add files under "{FROM_COMPUTER}" or addresses under "{URLS}"',
    Remedy.GIVE_FILES: f'add files under "{FROM_COMPUTER}" or "{FROM_SERVER}"',
    Remedy.GIVE_THEM: f'add them under "{FROM_COMPUTER}"',
    Remedy.GIVE_THE_PHOTOS: f'add the photos under "{FROM_COMPUTER}"',
    Remedy.AS_URLS_INSTEAD: f'under "{URLS}" instead of photos',
    Remedy.AS_LIST_OF_URLS: f'under "{URLS}"',
    Remedy.AS_URLS: f'under "{URLS}"',
    Remedy.AS_AN_ITEM: "on a line of its own",
    Remedy.CHOOSE_JSON: 'choose "json" as the encoding',
}


def naming_controls(text: str) -> str:
    """Return the text of a problem with the form's controls in place of what code would do.

    Examples
    --------
    >>> naming_controls("make it smaller with max_side=2048")
    'make it smaller with "Make photos smaller" turned on'
    """
    for remedy in sorted(_IN_THE_FORM, key=len, reverse=True):  # one may be the beginning of another
        text = text.replace(remedy, _IN_THE_FORM[remedy])
    return text
