"""The application that uvicorn runs: `monailabel start_server --uvicorn_app samantic.app.asgi:app`."""

from monailabel.app import app as stock

from samantic.app.lib.server.app import create_server

app = create_server(stock)
