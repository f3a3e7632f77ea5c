"""Every request of a stream played through a configuration, on compiled loops.

`queues`, `sandboxes`, `caches` and `batches` play; `histogram` holds latencies; `warm` compiles ahead and runs many
configurations at once. Importing one of them loads numba, which takes half a second: import late.
"""
