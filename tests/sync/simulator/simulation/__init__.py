"""Both ends of the road in one process, with their clocks, their disks and what is between them in one hand."""
