"""The web app: pictures in a browser, on one's own machine or on a server for a class."""
