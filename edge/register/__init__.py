"""The register of a zone (办案区使用管理台账): every act in it, held against what the musts allow."""
