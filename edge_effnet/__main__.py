from edge_effnet.cli import main

main()
