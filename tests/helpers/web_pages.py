"""Pages that gateways, filters and sign-ins answer with in place of a service. Written for the tests."""

from dataclasses import dataclass, field

from helpers.scripted_server import KEY, Answer, reply

_PLAIN = "text/html"
_UTF8 = "text/html; charset=utf-8"


@dataclass(frozen=True)
class WebPage:
    """A page, and the title that a reader should see."""

    who: str
    status: int
    title: str
    body: bytes
    content_type: str = _PLAIN
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self) -> Answer:
        return reply(body=self.body, status=self.status, Content_Type=self.content_type, **self.headers)


def _nginx(status: int, title: str) -> WebPage:
    body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    body += "<hr><center>nginx/1.27.0</center>\r\n</body>\r\n</html>\r\n"
    return WebPage(f"nginx {status}", status, title, body.encode())


def _cloudflare(status: int, what: str) -> WebPage:
    title = f"api.example.com | {status}: {what}"
    body = f"""<!DOCTYPE html>
<!--[if lt IE 7]> <html class="no-js ie6" lang="en-US"> <![endif]-->
<!--[if gt IE 8]><!--> <html class="no-js" lang="en-US"> <!--<![endif]-->
<head>
<title>{title}</title>
<meta charset="UTF-8" /><script>document.title = "<title>not this</title>";</script>
</head><body><div id="wrapper"><h1><span>{what}</span> <span>Error code {status}</span></h1>
<p>The web server reported a bad gateway error.</p></div></body></html>"""
    return WebPage(f"Cloudflare {status}", status, title, body.encode(), "text/html; charset=UTF-8")


PAGES = [
    *(_nginx(status, title) for status, title in {
        400: "400 Bad Request", 403: "403 Forbidden", 404: "404 Not Found", 429: "429 Too Many Requests",
        500: "500 Internal Server Error", 502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable",
        504: "504 Gateway Time-out",
    }.items()),
    *(_cloudflare(status, what) for status, what in {
        502: "Bad gateway", 504: "Gateway time-out", 520: "Web server is returning an unknown error",
        524: "A timeout occurred",
    }.items()),
    WebPage(
        "Cloudflare's filter", 403, "Attention Required! | Cloudflare",
        b"<!doctype html><html lang=en-US><head><title>Attention Required! | Cloudflare</title>"
        b"<style>body{margin:0}</style></head><body><h1>Sorry, you have been blocked</h1></body></html>",
        _UTF8,
    ),
    WebPage(
        "AWS load balancer", 503, "503 Service Temporarily Unavailable",
        b"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center>"
        b"<h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n",
        headers={"Server": "awselb/2.0"},
    ),
    WebPage(
        "CloudFront", 403, "ERROR: The request could not be satisfied",
        b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">'
        b"\n<HTML><HEAD><META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=iso-8859-1\">\n"
        b"<TITLE>ERROR: The request could not be satisfied</TITLE>\n</HEAD><BODY>\n<H1>403 ERROR</H1>",
    ),
    WebPage(
        "Varnish", 503, "503 Backend fetch failed",
        b'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html>\n <head>\n'
        b"  <title>503 Backend fetch failed</title>\n </head>\n <body>\n  <h1>Error 503 Backend fetch failed"
        b"</h1>\n  <h3>Guru Meditation:</h3>\n  <p>XID: 42</p>\n </body>\n</html>\n",
        _UTF8,
    ),
    WebPage(
        "Heroku", 503, "Application Error",
        b"<!DOCTYPE html>\n\t<html>\n\t  <head>\n\t\t<meta name='viewport' content='initial-scale=1'>\n"
        b"\t\t<title>Application\n\t\tError</title>\n\t  </head>\n\t  <body><iframe src='//e.com/e.html'>"
        b"</iframe></body>\n\t</html>",
        _UTF8,
    ),
    WebPage(
        "Rails", 500, "We're sorry, but something went wrong (500)",
        b"<!doctype html>\n<html><head><title>We&#39;re sorry, but something went wrong (500)</title>"
        b"</head></html>",
        _UTF8,
    ),
    WebPage(
        "a filter without a title", 403, "This site is blocked by your organisation",
        b"<html><head><style>h1 {}</style><script>var a = '<h1>x</h1>'</script></head>"
        b"<body><h1>This site is blocked <br> by <b>your organisation</b></h1><p>AI</p></body></html>",
    ),
    WebPage(
        "a filter without a heading", 451, "Blocked: policy 7",
        b"<BODY BGCOLOR=white>Blocked:\n\n<I>policy&nbsp;7</I>", _PLAIN,
    ),
    WebPage("a captive portal", 200, "Hotel Zoë & WLAN", (
        "<!-- portal --><html><head><meta charset='utf-8'><title>Hotel Zoë &amp; WLAN</title></head>"
    ).encode()),
    WebPage(
        "a sign-in page", 200, "Sign in to your account",
        b'<!DOCTYPE html>\n<html dir="ltr" lang="en"><head>\n<title>Sign in to your account</title>'
        b'<link rel="shortcut icon" href="/i.ico"></head><body>{"error": "not this"}</body></html>', _UTF8,
    ),
    WebPage("a sign-in page, refused", 401, "Log in", b"<html><title>Log in</title></html>", _UTF8),
    WebPage("a page labelled as JSON", 502, "Oops", b"<html><title>Oops</title></html>", "application/json"),
    WebPage("a page of nothing", 502, "", b"<html><head><title> </title></head><body></body></html>"),
    WebPage(
        "a page in UTF-16", 502, "Größe", "<html><title>Größe</title></html>".encode("utf-16"), _PLAIN
    ),
    WebPage(
        "a page in Latin-1", 502, "Größe", "<html><title>Größe</title></html>".encode("latin-1"),
        "text/html; charset=ISO-8859-1",
    ),
    WebPage("a page in an odd charset", 502, "Oops", b"<html><title>Oops</title>", "text/html; charset=x"),
    WebPage(
        "a page with the key", 502, "sd_…1234 is bad", f"<html><title>{KEY} is bad</title></html>".encode()
    ),
    WebPage(
        "a page that moves the cursor", 502, "a\ufffd[2Jb", b"<html><title>a\x1b[2Jb</title></html>"
    ),
    WebPage(
        "a title that is cut within the key", 502, "x" * 110 + " sd_…1234",
        f"<html><title>{'x' * 110} {KEY}</title>".encode(),
    ),
    WebPage(
        "a long title", 502, "x" * 119 + "…", b"<html><title>" + b"x" * 9000 + b"</title></html>"
    ),
    WebPage("odd declarations", 502, "Oops", b"<!-- x --><html><![if x y]><![<!><title>Oops</title>"),
    WebPage(
        "a storage", 403, "AccessDenied Access Denied",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>'
        b"<Message>Access Denied</Message></Error>", "application/xml",
    ),
]  # fmt: skip
