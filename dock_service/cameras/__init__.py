"""What a camera is to the offload, and the ways to reach one: MTP over USB, or a folder."""
