"""Movies, stills, the gallery, the demo, and the static site."""
