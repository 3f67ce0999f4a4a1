require "fileinto";
fileinto "Lists";