import ArgumentParser
import Runs
import Scenarios

extension TimeSpan: ExpressibleByArgument {}
