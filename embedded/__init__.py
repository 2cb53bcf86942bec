"""The development stack: real servers and the service itself, started and stopped as child processes."""
