"""What outlives a call: uploads and images, blobs, Volumes, Dicts, Queues and Secrets."""
