"""The packages, found; setup.cfg says where they lie, and finds none where the catalogue's do."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["jina", "jina.*", "jinacli", "jinacli.*"]),
        "jinacli.catalogue.executors",
        "jinacli.catalogue.flows",
    ]
)
