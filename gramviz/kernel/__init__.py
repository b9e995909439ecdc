"""The kernel with which a frozen page runs models itself: `kernel.c`, and the WebAssembly that `build` makes of it."""
