"""What the commands of `sm-platform` do, one file a command."""
