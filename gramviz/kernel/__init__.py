"""The kernel with which a frozen page runs a model by itself: `kernel.c`, and the WebAssembly that `build` made of it."""
