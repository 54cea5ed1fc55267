module rollward/tools/nodes/programs

// What runs in the containers of the real nodes (T4). Go's own library is all that they need, so the images hold one file each.
go 1.26.0
