using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CcmFhir.Tests.Fhir;

public class LogTest
{
    [Theory]
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics")]
    [InlineData("Microsoft.AspNetCore.Routing.EndpointMiddleware")]
    [InlineData("System.Net.Http.HttpClient.ehr.LogicalHandler")]
    public async Task Addresses_that_may_hold_patient_data_are_not_logged_even_when_all_else_is(string category)
    {
        await using var server = new FhirServer
        {
            Logging = "--Logging:LogLevel:Default=Trace",
            Settings = ["--Logging:LogLevel:Microsoft.AspNetCore=Trace"],
        };
        await server.InitializeAsync();

        server
            .Services.GetRequiredService<ILoggerFactory>()
            .CreateLogger(category)
            .IsEnabled(LogLevel.Information)
            .ShouldBeFalse();
    }
}
