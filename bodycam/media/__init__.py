"""What a file is: probe, stills, previews and proxies, in a child process with limits where the bytes are foreign."""
