#!/bin/sh
# Runs where the unit tests could not be built, so that it is said.
echo "1..0 # SKIP cmocka was not found by configure"
