# SPDX-License-Identifier: GPL-3.0-or-later
# What `cmake --install` puts where: the program, its data, manual pages, completions and documents.

# The program writes its own manual pages and completions.
set(documents ${CMAKE_BINARY_DIR}/documents)
add_custom_command(TARGET mailstead POST_BUILD VERBATIM
  COMMAND ${CMAKE_COMMAND} -DFOLDER=$<TARGET_FILE_DIR:mailstead> -DDOCUMENTS=${documents} -P ${CMAKE_SOURCE_DIR}/builder/documents.cmake)

install(TARGETS mailstead RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY profiles rootfs-overlays qemu-tests DESTINATION ${CMAKE_INSTALL_DATADIR}/mailstead USE_SOURCE_PERMISSIONS
  PATTERN __pycache__ EXCLUDE)
# A checkout's permissions tell programs from other files; the rest of them comes from the umask of who made it.
install(CODE "execute_process(COMMAND_ERROR_IS_FATAL ANY
  COMMAND chmod -R u=rwX,go=rX \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/mailstead\")")
install(FILES ${documents}/mailstead.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${documents}/mailstead.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES ${documents}/mailstead DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${documents}/mailstead.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# Debian's zsh reads one folder for packages and another for what is installed by hand.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  install(FILES ${documents}/_mailstead DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
else()
  install(FILES ${documents}/_mailstead DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endif()
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
