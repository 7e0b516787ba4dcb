"""What an editor shows for the YAML, asked of the real yaml-language-server; see `.ci/editor`."""
