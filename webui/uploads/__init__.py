"""tus 1.0 uploads over HTTP, for citizens now and for stations later."""
