"""What the pages show, as plain data: functions of the register, the settings and the moment."""
