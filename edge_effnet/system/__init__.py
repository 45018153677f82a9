"""The process and the machine it runs on: cores, CPU, what native code prints and leaves."""
