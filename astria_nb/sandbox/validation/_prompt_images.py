"""The images that a prompt starts from: uploaded, or named by URL."""

from astria_nb.sandbox.uploads import Upload
from astria_nb.sandbox.uploads.image_check import image_problem
from astria_nb.sandbox.validation._fields import Fields, is_url, shortened

_SINGLE = ("input_image", "mask_image")


def read(fields: Fields) -> tuple[tuple[Upload, ...], tuple[str, ...], dict[str, object]]:
    """Return the files of a prompt, the field of each, and the addresses of its other images by field.

    Parameters
    ----------
    fields : Fields
        What was sent under `prompt`.

    Notes
    -----
    Addresses are shown as they are, and not downloaded.
    """
    files: list[tuple[str, Upload]] = []
    addresses: dict[str, object] = {}
    for field in _SINGLE:
        value, url = fields.sent.get(field), fields.text(f"{field}_url")
        if isinstance(value, Upload):
            files.append((field, value))
        elif url is not None or fields.text(field) is not None:
            addresses[field] = _checked(fields, f"{field}_url", url or fields.text(field))
    for value in fields.items("image_references"):
        if isinstance(value, Upload):
            files.append(("image_references", value))
        else:
            fields.add_error("image_references", f"{shortened(value)} is not a file")
    if urls := fields.items("image_reference_urls"):
        addresses["image_references"] = [_checked(fields, "image_reference_urls", url) for url in urls]
    for field, upload in files:
        if problem := image_problem(upload):
            fields.add_error(field, problem)
    return tuple(upload for _, upload in files), tuple(field for field, _ in files), addresses


def _checked(fields: Fields, field: str, url: object) -> str:
    if not (isinstance(url, str) and is_url(url)):
        fields.add_error(field, f"{shortened(str(url))} is not a percent-encoded http(s) URL")
    return str(url)
