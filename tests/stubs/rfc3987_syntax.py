"""In the place of a grammar of web addresses that jsonschema, where it finds one, builds when it is imported: a second
of CPU in every JupyterLab, report and worker, for a check that no schema here asks for."""

raise ImportError("left out by tests/conftest.py")
