import ArgumentParser
import Scenarios

extension TimeSpan: ExpressibleByArgument {}
