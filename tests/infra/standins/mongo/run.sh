#!/bin/bash
# The libraries are for mongod alone.
export LD_LIBRARY_PATH=/opt/mongod/libs
exec /opt/mongod/mongod --dbpath /data/db "$@"
