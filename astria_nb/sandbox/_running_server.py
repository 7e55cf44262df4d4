"""The part of a sandbox that exists while it is running: the HTTP server, its routes, and uploaded files."""

import threading
from functools import partial
from pathlib import Path

from astria_nb.sandbox._clock import Clock
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.callbacks import Courier
from astria_nb.sandbox.callbacks.announcer import Announcer
from astria_nb.sandbox.faults import FaultRules
from astria_nb.sandbox.faults.play import answer
from astria_nb.sandbox.http import Guard, Ledger, allowed_hosts, netloc
from astria_nb.sandbox.http.server import HttpServer
from astria_nb.sandbox.model import State
from astria_nb.sandbox.routes import Service, make_app
from astria_nb.sandbox.uploads import Spool
from astria_nb.sandbox.views import Address, PackViews, Pictures, Views


class RunningServer:
    """Serves from its creation until `stop`.

    Attributes
    ----------
    url : str
        The base URL, e.g. ``http://127.0.0.1:41223``.

    Raises
    ------
    OSError
        If the port is in use, or the folder for uploads cannot be used.
    """

    def __init__(
        self,
        options: Options,
        api_key: str,
        *,
        clock: Clock,
        state: State,
        courier: Courier,
        faults: FaultRules,
        ledger: Ledger,
        picture_secret: bytes,
    ) -> None:
        self._courier = courier
        self._stopping = threading.Event()
        self._spool = Spool(Path(options.data) / "files" if options.data is not None else None)
        play = partial(answer, rules=faults)
        try:
            self._http = HttpServer(options.host, options.port, options.max_body, clock.now, play, ledger)
        except BaseException:
            self._spool.close()
            raise
        port = int(self._http.server_address[1])
        self.url = f"http://{netloc(options.host, port)}"
        address = Address(self.url)
        pictures = Pictures(address, picture_secret, clock.now)
        views = Views(address, pictures, state, options)
        announcer = Announcer(courier, state, views, address, options)
        self._http.app = make_app(
            Service(
                options,
                Guard(
                    api_key,
                    allowed_hosts(options.host, port, options.allowed_hosts),
                    options.allowed_origins,
                ),
                address,
                state,
                self._spool,
                pictures,
                views,
                PackViews(pictures, state, options),
                announcer,
                self._stopping,
            )
        )
        views.publish_all()
        announcer.announce(state.pending)
        courier.start()
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.05,), name="astria-sandbox", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close all connections, end all threads and remove temporary files."""
        self._stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._http.hang_up()
        self._courier.stop()
        self._spool.close()
