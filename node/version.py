"""The program's version, as other servers, apps and admins are told it."""

VERSION = "0.1.0"
