"""Addresses of pages that show a picture, and how to get the picture's own address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs

from astria_nb.utils.remedies import Remedy

_SIGN_IN = "it asks the visitor to sign in; give a presigned address of the object"
_IMAGE_ADDRESS = "open it, right-click the picture, and copy its image address"
_FILES = f"download the photos, and {Remedy.GIVE_THEM}"


@dataclass(frozen=True, slots=True)
class SharePage:
    """The pages of one site.

    Attributes
    ----------
    site : str
    host : str
        A regular expression for the whole host.
    path : str
        A regular expression for the beginning of the path.
    direct : str
        A regular expression for the path and query of addresses that do lead to a picture; empty if none do.
    hint : str
        The next step.
    """

    site: str
    host: str
    path: str = ""
    direct: str = r"(?!)"
    hint: str = _FILES

    def matches(self, parts: SplitResult) -> bool:
        """Return whether an address is such a page."""
        host = (parts.hostname or "").rstrip(".")
        is_here = re.fullmatch(self.host, host) and re.match(self.path, parts.path or "/", re.IGNORECASE)
        return is_here is not None and not re.search(
            self.direct, f"{parts.path}?{parts.query}", re.IGNORECASE
        )


_A_PICTURE = r"\.(jpe?g|png|webp)\?"
_SHARE_PAGES = (
    SharePage("Google Photos", r"photos\.google\.com|photos\.app\.goo\.gl"),
    SharePage("Google Photos", r"goo\.gl", r"/photos"),
    SharePage(
        "Google Drive",
        r"(drive|docs)\.google\.com",
        direct=r"^/uc\?|^/thumbnail\?|/u/\d+/uc\?|export=",
    ),
    SharePage(
        "Dropbox",
        r"(www\.)?dropbox\.com",
        r"/(scl/fo|sh)/",
        hint="it is a folder; give the link of each photo, with dl=1 at its end",
    ),
    SharePage(
        "Dropbox",
        r"(www\.)?dropbox\.com",
        r"/(s|scl|preview|home|l|t)\b",
        direct=r"[?&](dl|raw)=1\b",
        hint="end the address with dl=1 instead of dl=0",
    ),
    SharePage("OneDrive", r"1drv\.ms|(photos\.)?onedrive\.(live\.)?com", direct=r"^/download", hint=_FILES),
    SharePage(
        "SharePoint", r".+\.sharepoint\.com", r"/:\w:/", direct=r"[?&]download=1", hint="add download=1 to it"
    ),
    SharePage("iCloud", r"((www|share)\.)?icloud\.com"),
    SharePage(
        "GitHub",
        r"(www\.)?github\.com",
        r"/[^/]+/[^/]+/(blob|tree)/",
        direct=r"[?&]raw=(1|true)",
        hint="give the address behind its Raw button, at raw.githubusercontent.com",
    ),
    SharePage(
        "GitHub", r"gist\.github\.com", direct=r"/raw\b", hint="give the address behind its Raw button"
    ),
    SharePage("GitLab", r"gitlab\..+", r"/.+/-/blob/", hint="write /-/raw/ instead of /-/blob/"),
    SharePage("Bitbucket", r"bitbucket\.org", r"/[^/]+/[^/]+/src/", hint="write /raw/ instead of /src/"),
    SharePage(
        "Hugging Face", r"huggingface\.co|hf\.co", r"/.+/blob/", hint="write /resolve/ instead of /blob/"
    ),
    SharePage("Kaggle", r"(www\.)?kaggle\.com"),
    SharePage("Flickr", r"(www\.)?flickr\.com|flic\.kr", hint=_IMAGE_ADDRESS),
    SharePage("Instagram", r"(www\.)?instagram\.com|instagr\.am"),
    SharePage("Facebook", r"(www\.|m\.|web\.)?facebook\.com|fb\.(me|watch)"),
    SharePage("Pinterest", r"(\w+\.)?pinterest\.[a-z.]+|pin\.it", hint=_IMAGE_ADDRESS),
    SharePage("X", r"((www|mobile)\.)?(twitter|x)\.com", hint=_IMAGE_ADDRESS),
    SharePage("Threads", r"(www\.)?threads\.(net|com)"),
    SharePage("Reddit", r"(\w+\.)?reddit\.com", hint=_IMAGE_ADDRESS),
    SharePage("TikTok", r"(\w+\.)?tiktok\.com"),
    SharePage("LinkedIn", r"(\w+\.)?linkedin\.com"),
    SharePage("Imgur", r"(www\.|m\.)?imgur\.com", r"/.", direct=_A_PICTURE, hint=_IMAGE_ADDRESS),
    SharePage("ImgBB", r"ibb\.co", r"/.", direct=_A_PICTURE, hint=_IMAGE_ADDRESS),
    SharePage("Postimages", r"postimg\.cc|postimages\.org", hint=_IMAGE_ADDRESS),
    SharePage("Gyazo", r"gyazo\.com", direct=_A_PICTURE, hint=_IMAGE_ADDRESS),
    SharePage("Unsplash", r"(www\.)?unsplash\.com", r"/.*photos?/", direct=r"/download", hint=_IMAGE_ADDRESS),
    SharePage("Pexels", r"(www\.)?pexels\.com", r"/(\w\w-\w\w/)?photo/", hint=_IMAGE_ADDRESS),
    SharePage("Pixabay", r"(www\.)?pixabay\.com", r"/(\w\w/)?photos/", hint=_IMAGE_ADDRESS),
    SharePage("SmugMug", r".+\.smugmug\.com", direct=_A_PICTURE, hint=_IMAGE_ADDRESS),
    SharePage(
        "Wikimedia",
        r".+\.wiki(media|pedia)\.org",
        r"/wiki/[^/]*:",
        direct=r"/wiki/Special:(FilePath|Redirect)",
        hint="give the address behind Original file, at upload.wikimedia.org",
    ),
    SharePage("Box", r"(.+\.)?box\.com", r"/(s|file|v)/", direct=r"/shared/static/"),
    SharePage("WeTransfer", r"(.+\.)?wetransfer\.com|we\.tl"),
    SharePage("MEGA", r"mega\.(nz|io)"),
    SharePage("pCloud", r"(u|e)\.pcloud\.(link|com)"),
    SharePage("Yandex Disk", r"disk\.yandex\.[a-z.]+|yadi\.sk"),
    SharePage("Amazon Photos", r"(www\.)?amazon\.[a-z.]+", r"/photos/"),
    SharePage(
        "the S3 console", r"(.+\.)?console\.aws\.amazon\.com|s3\.console\.aws\.amazon\.com", hint=_SIGN_IN
    ),
    SharePage("the Google Cloud console", r"(console|storage)\.cloud\.google\.com", hint=_SIGN_IN),
    SharePage("the Azure portal", r"portal\.azure\.com", hint=_SIGN_IN),
    SharePage("Colab", r"colab\.research\.google\.com"),
    SharePage("Discord", r"(.+\.)?discord\.com", r"/channels/", hint=_IMAGE_ADDRESS),
    SharePage(
        "Google's picture search", r"(www\.)?google\.[a-z.]+", r"/(imgres|search)", hint=_IMAGE_ADDRESS
    ),
)
_ANY_HOST = re.compile("|".join(f"(?:{page.host})" for page in _SHARE_PAGES))


def share_page(parts: SplitResult) -> SharePage | None:
    """Return the kind of page that an address opens, or None if it may be a picture."""
    if not _ANY_HOST.fullmatch((parts.hostname or "").rstrip(".")):  # as most addresses
        return None
    return next((page for page in _SHARE_PAGES if page.matches(parts)), None)


def hint_for(page: SharePage, parts: SplitResult) -> str:
    """Return the next step for an address of a page, with the picture's own address if that is known."""
    query = parse_qs(parts.query)
    if page.site != "Google Drive" or parts.hostname != "drive.google.com" or "resourcekey" in query:
        return page.hint
    in_path = re.match(r"(?:/u/\d+)?/file/(?:u/\d+/)?d/([\w-]{10,})", parts.path)
    file_id = in_path[1] if in_path else query.get("id", [""])[0] if parts.path == "/open" else ""
    if not re.fullmatch(r"[\w-]{10,200}", file_id, re.ASCII):
        return page.hint
    return f"share it with everybody, and give https://drive.google.com/uc?export=download&id={file_id}"
