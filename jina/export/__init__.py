"""Write a Flow as files of other programs: Kubernetes manifests, a compose file, a Dockerfile.

Everything here turns plain data into text: no file is read or written, no process is started, and
the same Flow gives the same bytes. `jinacli.flow.export` reads the modules, makes the keys and
writes the files.

- `units`: which containers a Flow needs, and what can not be exported; problems with their places.
- `files`: the YAML that the containers read.
- `kubernetes`, `network`, `compose`, `dockerfile`: one form of output each.
"""
