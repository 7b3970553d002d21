//! 3D models: what a file of triangles holds, whether it can be printed, and what it looks like.
