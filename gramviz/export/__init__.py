"""Movies, stills, the gallery, and the demo."""
